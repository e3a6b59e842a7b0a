// The styles of the widget as constructed sheets: no style element, nothing for a content policy to refuse.

import answer from "./answer.css?inline";
import article from "./article.css?inline";
import card from "./card.css?inline";
import controls from "./controls.css?inline";
import frame from "./frame.css?inline";
import print from "./print.css?inline";
import root from "./root.css?inline";

let made: CSSStyleSheet[] | null = null;

/** The sheets, made once for all elements of a page. */
export function sheets(): CSSStyleSheet[] {
  made ??= [root, frame, controls, answer, card, article, print].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return made;
}
