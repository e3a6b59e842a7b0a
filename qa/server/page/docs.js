// Shows /openapi.json. Everything it prints goes through textContent: nothing of it can become markup.
"use strict";

/** An element with properties and children; strings become text. */
function element(name, properties, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A table from a head row and body rows of strings or nodes. */
function table(head, rows) {
  const row = (cells, kind) => element("tr", {}, ...cells.map((cell) => element(kind, {}, cell)));
  return element("table", {},
    element("thead", {}, row(head, "th")),
    element("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
}

/** A schema in a few words: `string, at most 200 characters`. */
function words(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  const options = schema.anyOf || schema.oneOf;
  if (options) return options.map(words).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  const said = [schema.type === "array" ? `list of ${words(schema.items || {})}` : schema.type || "anything"];
  const limits = {
    minLength: "at least", maxLength: "at most", minItems: "at least", maxItems: "at most", minimum: "from", maximum: "to",
  };
  for (const [key, word] of Object.entries(limits)) if (key in schema) said.push(`${word} ${schema[key]}`);
  return said.join(", ");
}

/** The properties of one schema. */
function schemaSection(name, schema) {
  const required = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([field, inner]) => [
    element("code", {}, field),
    words(inner),
    required.has(field) ? "required" : "default" in inner ? `default ${JSON.stringify(inner.default)}` : "",
  ]);
  return element("details", { id: `schema-${name}` },
    element("summary", {}, element("code", {}, name), schema.description ? ` – ${schema.description}` : ""),
    table(["field", "type", ""], rows),
    schema.additionalProperties === false ? element("p", {}, "Unknown fields are refused.") : null);
}

/** The example for a JSON body: the operation's own, or its schema's. */
function bodyExample(operation, schemas) {
  const media = operation.requestBody?.content?.["application/json"];
  if (!media) return null;
  const name = media.schema?.$ref?.split("/").pop();
  return media.example ?? schemas[name]?.examples?.[0] ?? {};
}

/** Send what the form says and show what comes back. */
async function send(method, path, inputs, area, output) {
  let url = path;
  const query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value) query.append(parameter.name, input.value);
  }
  if (query.size) url += `?${query}`;
  const request = { method: method.toUpperCase(), headers: {} };
  if (area) {
    request.headers["Content-Type"] = "application/json";
    request.body = area.value;
  }
  const key = document.getElementById("key").value;
  if (key) request.headers.Authorization = `Bearer ${key}`;
  output.hidden = false;
  output.textContent = "…";
  try {
    const response = await fetch(url, request);
    const text = await response.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.textContent = `${response.status} ${response.statusText}\n\n${shown}`;
    output.classList.toggle("failed", !response.ok);
  } catch (error) {
    output.textContent = `Not sent: ${error.message}`;
    output.classList.add("failed");
  }
}

/** The form to try one operation. */
function tryIt(method, path, operation, schemas) {
  const inputs = (operation.parameters || []).map((parameter) =>
    [parameter, element("input", { type: "text", autocomplete: "off", spellcheck: false })]);
  const example = bodyExample(operation, schemas);
  const area = example === null ? null
    : element("textarea", { value: JSON.stringify(example, null, 2), spellcheck: false });
  const output = element("pre", { hidden: true, tabIndex: 0 });
  output.setAttribute("role", "status");
  const button = element("button", { type: "button" }, "Send");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await send(method, path, inputs, area, output);
    button.disabled = false;
  });
  return element("details", {},
    element("summary", {}, "Try it"),
    ...inputs.map(([parameter, input]) => element("label", {}, `${parameter.name} `, input)),
    area && element("label", {}, "Body ", area),
    button, output);
}

/** Everything about one operation. */
function operationSection(method, path, operation, schemas) {
  const parameters = (operation.parameters || []).map((parameter) => [
    element("code", {}, parameter.name), parameter.in, words(parameter.schema), parameter.description || "",
  ]);
  const bodies = Object.entries(operation.requestBody?.content || {}).map(([type, media]) =>
    [element("code", {}, type), words(media.schema || {})]);
  const responses = Object.entries(operation.responses).map(([status, response]) => {
    const schema = Object.values(response.content || {})[0]?.schema;
    return [element("code", {}, status), response.description, schema ? words(schema) : ""];
  });
  return element("article", { id: operation.operationId },
    element("h3", {}, element("span", { className: "method" }, method.toUpperCase()), " ",
      element("span", { className: "path" }, path)),
    element("p", {}, element("strong", {}, operation.summary || "")),
    operation.description ? element("p", {}, operation.description) : null,
    parameters.length ? table(["parameter", "in", "type", ""], parameters) : null,
    bodies.length ? table(["body", "holds"], bodies) : null,
    table(["status", "meaning", "body"], responses),
    tryIt(method, path, operation, schemas));
}

/** Put the whole description on the page. */
function show(description) {
  const schemas = description.components.schemas;
  const links = [];
  const routes = document.getElementById("routes");
  routes.append(element("h2", {}, "Routes"));
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      routes.append(operationSection(method, path, operation, schemas));
      links.push(element("li", {}, element("a", { href: `#${operation.operationId}` }, operation.summary)));
    }
  }
  document.getElementById("contents").append(element("ul", {}, ...links));
  const section = document.getElementById("schemas");
  section.append(element("h2", {}, "Schemas"));
  for (const [name, schema] of Object.entries(schemas)) section.append(schemaSection(name, schema));
  document.getElementById("title").textContent = `${description.info.title} API ${description.info.version}`;
  document.getElementById("description").textContent = description.info.description || "";
}

fetch("/openapi.json")
  .then((response) => response.json())
  .then(show)
  .then(() => { document.getElementById("state").textContent = ""; })
  .catch((error) => { document.getElementById("state").textContent = `The description cannot be shown: ${error.message}`; });
