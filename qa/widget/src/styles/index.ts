// The styles of the widget as a constructed sheet: no style element, nothing for a content policy to refuse.

import answer from "./answer.css?inline";
import article from "./article.css?inline";
import card from "./card.css?inline";
import controls from "./controls.css?inline";
import frame from "./frame.css?inline";
import print from "./print.css?inline";
import root from "./root.css?inline";

let made: CSSStyleSheet | null = null;

/** All of them, made once for all elements of a page. */
export function sheet(): CSSStyleSheet {
  if (!made) {
    made = new CSSStyleSheet();
    made.replaceSync(root + frame + controls + answer + card + article + print);
  }
  return made;
}
