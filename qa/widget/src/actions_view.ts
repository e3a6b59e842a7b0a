// What a reader can do with a finished answer: copy it with its sources, say whether it helped.

import type { AnswerView } from "./answer_view";
import type { Opinion } from "./client";
import type { Context } from "./context";
import { citing } from "./citing";
import { copy, markdown, plainText } from "./copying";
import { button, element, refill, relabel } from "./dom";
import { answerLink, wordsLink } from "./links";
import { asProblem } from "./problems";
import type { Strings } from "./strings";
import type { Answer, Citation } from "./types";

const COPIED_MS = 2500;
const COMMENT_CHARACTERS = 2000;

/** `shared`: somebody else's answer, on which this reader has no opinion to give. */
export function actions(context: Context, answer: Answer, view: AnswerView, edit: () => void, shared: boolean): HTMLElement {
  const made = element("div", { class: "actions", part: "actions" });
  // An abstention says nothing that could be copied.
  const { strings } = context;
  if (answer.answer_mode !== "abstained") {
    const short = view.shortAnswer(answer)?.textContent;
    const here = (citation: Citation): string => wordsLink(context, citing([citation], citation));
    const copied = { ...context, answer, numbering: view.numbering, short, here };
    made.append(copyButton(context, answer, strings.copy, () => plainText(copied)), copyButton(context, answer, strings.copyMarkdown, () => markdown(copied)));
  }
  made.append(copyButton(context, answer, strings.copyLink, () => (shared ? location.href : answerLink(context, answer))));
  made.append(button(strings.edit, edit, { class: "quiet-button", part: "edit" }));
  if (!shared) made.append(element("span", "opinion", ...opinion(context, answer, made)));
  return made;
}

function copyButton(context: Context, answer: Answer, name: string, text: () => string | Promise<string>): HTMLElement {
  return copying(context, name, text, () => context.emit("copy", { answer_id: answer.id }));
}

/** A button that copies, and says whether it could. */
export function copying(context: Context, name: string, text: () => string | Promise<string>, told: () => void): HTMLElement {
  const { strings } = context;
  const made = button(name, () => void act(), { class: "quiet-button", part: "copy", "data-name": name });
  const act = async (): Promise<void> => {
    const done = await copy(text(), made);
    told();
    // One row, one word: what was copied before is not what is there now.
    for (const one of made.parentElement?.querySelectorAll<HTMLElement>("[data-name]") ?? []) one.textContent = one.dataset["name"]!;
    relabel(made, done ? strings.copied : strings.copyFailed);
    context.announce(made.textContent);
    setTimeout(() => (made.textContent = name), COPIED_MS);
  };
  return made;
}

/** Two buttons; either opens a form with room for a comment. */
function opinion(context: Context, answer: Answer, place: HTMLElement): HTMLElement[] {
  const { strings } = context;
  const choose = (verdict: Opinion, chosen: HTMLElement): void => {
    for (const one of buttons) one.ariaPressed = String(one === chosen);
    place.parentElement?.querySelector(".comment")?.remove();
    const form = commentForm(context, answer, verdict, buttons);
    place.after(form);
    // Not the box: a keyboard would come up over the reasons.
    form.querySelector("button")?.focus({ preventScroll: true });
    form.scrollIntoView({ block: "nearest" });
  };
  const make = (verdict: Opinion, label: string): HTMLButtonElement => {
    const properties = { class: "quiet-button", part: `feedback-${verdict}`, "aria-pressed": "false" };
    const made = button(label, () => choose(verdict, made), properties);
    return made;
  };
  const buttons = [make("up", strings.helpful), make("down", strings.unhelpful)];
  return buttons;
}

function commentForm(context: Context, answer: Answer, verdict: Opinion, buttons: HTMLButtonElement[]): HTMLElement {
  const { strings } = context;
  const area = element("textarea", { rows: "2", dir: "auto", maxlength: String(COMMENT_CHARACTERS) });
  const cancel = (): void => {
    form.remove();
    for (const one of buttons) one.ariaPressed = "false";
    buttons[verdict === "up" ? 0 : 1]?.focus();
  };
  const send = element("button", { class: "strong", type: "submit" }, strings.send);
  const reasons = reasonChips(strings);
  const line = element("p", "comment-state");
  const form = element(
    "form",
    { class: "comment", part: "comment", submit: (event) => void submit(event) },
    verdict === "down" ? reasons.element : null,
    element("label", {}, strings.comment, area),
    element("div", "row", send, button(strings.cancel, cancel, { class: "quiet-button" })),
    line,
  );
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    send.disabled = true;
    try {
      const chosen = verdict === "down" ? reasons.chosen() : [];
      await context.client.feedback(answer.id, verdict, chosen, area.value.trim());
      context.emit("feedback", { answer_id: answer.id, verdict, reasons: chosen });
      context.announce(strings.thanks);
      const thanks = element("p", { class: "quiet", tabindex: "-1" }, strings.thanks);
      refill(form, thanks);
      thanks.focus();
    } catch (error) {
      line.textContent = strings.problem[asProblem(error).kind];
      context.announce(line.textContent);
      send.disabled = false;
    }
  };
  return form;
}

/** What may be the matter, to be chosen by a click. */
function reasonChips(strings: Strings): { element: HTMLElement; chosen(): string[] } {
  const chips = Object.entries(strings.reasons).map(([reason, words]) => {
    const flip = (): void => {
      chip.ariaPressed = String(!pressed(chip));
    };
    const chip = button(words, flip, { class: "narrowed", part: "reason", "aria-pressed": "false", "data-reason": reason });
    return chip;
  });
  const made = element("div", { class: "chips", role: "group", "aria-label": strings.unhelpful }, ...chips);
  const pressed = (chip: HTMLElement): boolean => chip.ariaPressed === "true";
  return { element: made, chosen: () => chips.filter(pressed).map((chip) => chip.dataset["reason"]!) };
}
