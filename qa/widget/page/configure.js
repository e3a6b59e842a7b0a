// Makes the tag from what is chosen, and shows the chat as the tag would make it.

"use strict";

const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "id", "ja", "pt", "zh"];
const form = document.getElementById("choices");
const preview = document.getElementById("preview");
const tag = document.getElementById("tag");
const copied = document.getElementById("copied");

for (const code of LANGUAGES) {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code);
  form.elements.namedItem("lang").append(new Option(name, code));
}

const escaped = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");

function show() {
  const { validity } = form.elements.namedItem("accent");
  const chosen = [...new FormData(form)].filter(([name, value]) => value && (name !== "accent" || validity.valid));
  const attributes = chosen.map(([name, value]) => ` data-${name}="${escaped(value)}"`).join("");
  tag.textContent = `<script src="${location.origin}/widget.js"${attributes}></script>`;
  const chat = document.createElement("sourceline-chat");
  for (const [name, value] of chosen) chat.setAttribute(name, value);
  preview.replaceChildren(chat);
  copied.textContent = "";
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(tag.textContent);
    copied.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(tag);
    copied.textContent = "Copying was not allowed; the tag is selected";
  }
});
show();
