// The browser's way back, while something lies over the chat on a narrow window: it takes that away, and leaves the page where it is.

/** Gives what to call whenever something may have come or gone. `open`: how many layers there are; `close`: take the topmost away. */
export function wayBack(open: () => number, close: () => void, signal: AbortSignal): () => void {
  const id = Math.random();
  let turning = false;
  // Entries of the page's own, and of other chats, are left alone.
  const depth = (): number => {
    const state = history.state as { sourceline?: [number, number] } | null;
    return state?.sourceline?.[0] === id ? state.sourceline[1] : 0;
  };
  const follow = (): void => {
    if (turning) return;
    const [now, before] = [open(), depth()];
    turning = now < before;
    if (turning) history.go(now - before);
    for (let at = before; at < now; ) history.pushState({ ...history.state, sourceline: [id, (at += 1)] }, "");
  };
  const turned = (): void => {
    if (turning) {
      turning = false;
      follow();
    } else while (open() > depth()) close();
  };
  window.addEventListener("popstate", turned, { signal });
  // What closes and opens in one go, such as a card and its article, is one layer.
  return () => queueMicrotask(follow);
}
