// What an empty list says. It teaches with a sentence that a click puts into the field.
import { html } from "/lib/preact.js";
import { Icon } from "../ui/icon.js";
import { useCounts } from "./selectors.js";
import { focusQuickAdd } from "./quick_add.js";

const texts = {
  today: { icon: "today", title: "Nothing is due today", text: "Write what you have to do, with the day and the time in your own words.",
    examples: ["Call the dentist today at 4pm", "Water the plants every monday at 9am remind me 1 hour before"] },
  upcoming: { icon: "upcoming", title: "Nothing is planned", text: "A task with a date appears here, day by day.",
    examples: ["Pay rent every month on the 1st at 9am p1 #home", "Buy tickets next friday #fun"] },
  all: { icon: "all", title: "No open tasks", text: "One line is enough. Dates, rules, #tags and p1 to p3 are read from it.",
    examples: ["Buy milk tomorrow #shopping", "Water the plants every monday at 9am remind me 1 hour before"] },
  done: { icon: "done", title: "Nothing is done yet", text: "Completed tasks are kept here. The circle before a task completes it, or the key “e”.", examples: [] },
};

function textFor(view, tag, text) {
  if (view === "tag") {
    return { icon: "tag", title: `No open tasks with #${tag}`, text: `Tasks get tags from words such as “#${tag}” in their line.`,
      examples: [`Look after it tomorrow #${tag.replace(/\s/g, "_")}`] };
  }
  if (view !== "search") return texts[view] || texts.all;
  if (!text.trim()) return { icon: "search", title: "Search your tasks", text: "Titles, #tags and descriptions are searched as you type, done tasks too.", examples: [] };
  return { icon: "search", title: `Nothing contains “${text.trim()}”`, text: "Each word has to be part of the title, a tag or the description.", examples: [] };
}

export function Empty({ view, tag, text }) {
  const { done, all } = useCounts();
  const found = textFor(view, tag, text);
  const free = view === "today" && (done > 0 || all > 0);
  return html`<div class="t-empty"><span class="t-empty-icon"><${Icon} name=${found.icon} /></span>
    <h2 dir="auto">${free ? "You are done for today" : found.title}</h2><p dir="auto">${found.text}</p>
    ${found.examples.length > 0 && html`<div class="t-examples" role="group" aria-label="Examples to try">${found.examples.map((example) => html`
      <button key=${example} type="button" class="t-example" onClick=${() => focusQuickAdd(example)}>${example}</button>`)}</div>`}
  </div>`;
}
