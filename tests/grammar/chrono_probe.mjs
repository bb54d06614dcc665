// Answers the dates that chrono-node finds, one JSON object per line on standard input and output:
//   {"text": "call Ann tomorrow at 9", "now": "2026-11-26T10:00:00", "month_first": false}
//   {"date": "2026-11-27", "time": "09:00"}, {"date": "2026-11-27", "time": null} or {"date": null}
// Only the first date of a text counts. Clocks are those of UTC.

import { createInterface } from "node:readline";
import * as chrono from "chrono-node";

for await (const line of createInterface({ input: process.stdin })) {
  const { text, now, month_first } = JSON.parse(line);
  const parser = month_first ? chrono.en.casual : chrono.en.GB;
  const [found] = parser.parse(text, new Date(`${now}Z`), { forwardDate: true });
  let answer = { date: null };
  if (found) {
    const iso = found.start.date().toISOString();
    answer = { date: iso.slice(0, 10), time: found.start.isCertain("hour") ? iso.slice(11, 16) : null };
  }
  console.log(JSON.stringify(answer));
}
