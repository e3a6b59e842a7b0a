// Makes the tag from what is chosen, and shows the chat as the tag would make it.

"use strict";

const LANGUAGES = ["en", ...Object.keys(WORDS)].sort();
const form = document.getElementById("choices");
const preview = document.getElementById("preview");
const corner = document.getElementById("corner");
const tag = document.getElementById("tag");
const copied = document.getElementById("copied");

// The page itself is in the first of the reader's languages that it has.
const own = navigator.languages.map((tag) => tag.split("-")[0]).find((tag) => LANGUAGES.includes(tag)) ?? "en";
const words = Object.fromEntries(KEYS.map((key, place) => [key, WORDS[own]?.[place]]));
document.documentElement.lang = own;
document.documentElement.dir = own === "ar" ? "rtl" : "ltr";
document.title = words.title ?? document.title;
for (const one of document.querySelectorAll("[data-word]")) one.textContent = words[one.dataset.word] ?? one.textContent;

for (const code of LANGUAGES) {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code);
  form.elements.namedItem("lang").append(new Option(name, code));
}

/** What only a button in the corner has. */
const ofCorner = ["launcher-text", "position", "opener"].map((name) => form.elements.namedItem(name));

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");

function show() {
  corner.hidden = form.elements.namedItem("mode").value !== "launcher";
  for (const one of ofCorner) one.disabled = one.closest("label").hidden = corner.hidden;
  const { validity } = form.elements.namedItem("accent");
  const chosen = [...new FormData(form)].filter(([name, value]) => value && (name !== "accent" || validity.valid));
  const attributes = chosen.map(([name, value]) => ` data-${name}="${escaped(value)}"`).join("");
  tag.textContent = `<script src="${location.origin}/widget.js"${attributes}></script>`;
  // A button in the corner of this page would lie over the choices: it stands in a page of its own.
  const place = corner.hidden ? preview : corner.contentDocument.body;
  const chat = place.ownerDocument.createElement("sourceline-chat");
  // The page's own buttons are not here: ours stands for them.
  for (const [name, value] of chosen) if (name !== "opener") chat.setAttribute(name, value);
  preview.replaceChildren();
  place.replaceChildren(chat);
  copied.textContent = "";
}

corner.title = words.looks ?? "How it looks";
corner.addEventListener("load", show);
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(tag.textContent);
    copied.textContent = words.copied ?? "Copied";
  } catch {
    getSelection().selectAllChildren(tag);
    copied.textContent = words.refused ?? "Copying was not allowed; the tag is selected";
  }
});
show();
