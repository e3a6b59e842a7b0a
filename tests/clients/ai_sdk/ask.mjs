// Asks the service at the address given, through the AI SDK as it is published; prints what a page would have to show.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";

const [baseURL, prompt] = process.argv.slice(2);
const openai = createOpenAI({ baseURL, apiKey: "any" });
const ways = { chat: openai.chat("sourceline"), responses: openai.responses("sourceline") };
const found = {};

const shown = ({ text, sources, usage, finishReason }) => ({
  text,
  sources: sources.map(({ sourceType, url, title }) => ({ sourceType, url, title })),
  usage: { input: usage.inputTokens, output: usage.outputTokens },
  finishReason,
});

for (const [name, model] of Object.entries(ways)) {
  found[name] = shown(await generateText({ model, prompt, maxRetries: 0 }));
  const stream = streamText({ model, prompt, maxRetries: 0 });
  const parts = [];
  for await (const part of stream.fullStream) parts.push(part.type);
  found[`${name} stream`] = {
    ...shown({
      text: await stream.text,
      sources: await stream.sources,
      usage: await stream.usage,
      finishReason: await stream.finishReason,
    }),
    parts,
  };
}
try {
  await generateText({ model: openai.chat("sourceline-9"), prompt, maxRetries: 0 });
} catch (error) {
  found.error = { status: error.statusCode, message: error.message };
}
console.log(JSON.stringify(found));
