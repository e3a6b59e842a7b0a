// Days as the reader writes them.

/** The day of an ISO 8601 date or time, in words; empty where there is none. */
export function day(published: string | null, locale: string): string {
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(published ?? "");
  if (!found) return "";
  // The day as the source wrote it: no shift into the reader's time zone.
  const date = new Date(`${found[0]}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(date);
}

const DAY_MS = 86_400_000;

/** How long ago a day was, such as "3 days ago"; empty for a day to come, and where there is none. */
export function age(published: string | null, locale: string): string {
  const days = Math.floor((Date.now() - Date.parse((published ?? "").slice(0, 10))) / DAY_MS);
  if (!(days >= 0)) return "";
  const [count, unit] = days < 31 ? [days, "day"] as const : days < 365 ? [days / 30.4, "month"] as const : [days / 365.25, "year"] as const;
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-Math.max(Math.floor(count), unit === "day" ? 0 : 1), unit);
}

/** The day so many days after an ISO date: "to" includes its day, `published_before` does not. */
export function moved(date: string, days: number): string {
  const next = Date.parse(date.slice(0, 10)) + days * DAY_MS;
  return Number.isNaN(next) ? date : new Date(next).toISOString().slice(0, 10);
}
