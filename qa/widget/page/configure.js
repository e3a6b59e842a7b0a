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
  const chosen = [...new FormData(form)].filter(([name, value]) => value && name !== "accent");
  const accent = form.elements.namedItem("accent");
  const colour = accent.value && accent.validity.valid ? accent.value : "";
  const attributes = chosen.map(([name, value]) => ` data-${name}="${escaped(value)}"`).join("");
  const style = colour ? `\n<style>sourceline-chat { --sourceline-accent: ${colour}; }</style>` : "";
  tag.textContent = `<script src="${location.origin}/widget.js"${attributes}></script>${style}`;
  const chat = document.createElement("sourceline-chat");
  for (const [name, value] of chosen) chat.setAttribute(name, value);
  if (colour) chat.style.setProperty("--sourceline-accent", colour);
  preview.replaceChildren(chat);
  copied.textContent = "";
}

form.addEventListener("change", show);
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
