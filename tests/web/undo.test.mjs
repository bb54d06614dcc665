// What can be taken back is remembered beyond its message, and taken back in the right order.
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";

const { forgetSteps, undoable, undoLast } = await import("../../web/core/undo.js");
const said = () => globalThis.toasts.at(-1)?.text;
let undone;

const change = (name, answer) => undoable(name, () => { undone.push(name); return answer; });

beforeEach(() => {
  forgetSteps();
  globalThis.toasts = [];
  undone = [];
});

describe("undo", () => {
  it("takes the newest step back first, and says which", () => {
    ["one", "two", "three", "four", "five"].forEach((name) => change(name));
    for (let round = 0; round < 5; round += 1) undoLast();
    assert.deepEqual(undone, ["five", "four", "three", "two", "one"]);
    assert.equal(said(), "Undone: one");
  });

  it("says that there is nothing", () => {
    undoLast();
    assert.equal(said(), "Nothing to undo");
  });

  it("takes a step back once, by its message or by the key", () => {
    change("one");
    change("two");
    globalThis.toasts[0].actions.find(({ label }) => label === "Undo").run();
    undoLast();
    undoLast();
    assert.deepEqual(undone, ["one", "two"]);
    assert.equal(said(), "Nothing to undo");
  });

  it("says that a step cannot be taken back any more, and goes on with the next", () => {
    change("one");
    change("two", false);
    undoLast();
    assert.equal(said(), "This cannot be undone any more: two");
    undoLast();
    assert.equal(said(), "Undone: one");
  });

  it("remembers fifty steps, without a message where none is wanted", () => {
    for (let number = 0; number < 60; number += 1) undoable(`change ${number}`, () => undone.push(number), { shown: false });
    assert.equal(globalThis.toasts.length, 0);
    for (let round = 0; round < 60; round += 1) undoLast();
    assert.deepEqual([undone.length, undone.at(-1)], [50, 10]);
  });

  it("forgets the steps of a user who leaves", () => {
    change("one");
    forgetSteps();
    undoLast();
    assert.deepEqual(undone, []);
  });
});
