// Calls of the service: Connect's JSON over POST, with the user's identity, a deadline, and errors as the page needs them.
import { session } from "./session.js";

const deadlineMs = 20000;

/**
 * A call that was not answered as wished. `code` is one of Connect, or "offline": no answer came at all. `foreign`: the
 * answer is not one of the service but of something between it and the page, so nobody knows whether the call was made.
 */
export class ApiError extends Error {
  constructor({ code, message, reason = "", fields = [], retryAfterMs = 0, metadata = {}, status = 0, foreign = false }) {
    super(message);
    Object.assign(this, { name: "ApiError", code, reason, fields, retryAfterMs, metadata, status, foreign });
  }
}

const listeners = new Set();

/** Calls `listen(answered)` after each call: true when a server answered, false when the network failed. */
export function onReach(listen) {
  listeners.add(listen);
  return () => listeners.delete(listen);
}

const reached = (answered) => listeners.forEach((listen) => listen(answered));

/** Calls `todo.v1.<service>/<method>`. A refused token is renewed once. */
export async function call(service, method, request = {}, { signal, timeoutMs = deadlineMs } = {}) {
  const send = async () => post(`/todo.v1.${service}/${method}`, request, await session.headers(), signal, timeoutMs);
  try {
    const answer = await send();
    if (service === "OpsService") session.isOperator();
    return answer;
  } catch (error) {
    if (error.code !== "unauthenticated" || !(await session.renewed())) throw error;
    return send();
  }
}

async function post(path, request, identity, signal, timeoutMs) {
  const deadline = AbortSignal.timeout(timeoutMs + 2000);
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST", cache: "no-store", credentials: "omit",
      headers: { "content-type": "application/json", "connect-protocol-version": "1",
        "connect-timeout-ms": String(timeoutMs), ...identity },
      body: JSON.stringify(request),
      signal: signal ? AbortSignal.any?.([signal, deadline]) ?? signal : deadline,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    reached(false);
    throw new ApiError({ code: "offline", message: deadline.aborted ? "The server did not answer in time."
      : "The server cannot be reached." });
  }
  let body = null;
  try {
    body = await answer.json();
  } catch (error) {
    if (signal?.aborted) throw error;
  }
  if (answer.ok && body) {
    reached(true);
    return body;
  }
  const error = errorOf(answer, body);
  reached(error.code !== "offline");
  throw error;
}

const codes = new Set(["canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied",
  "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss",
  "unauthenticated"]);

function errorOf(answer, body) {
  const retryAfter = Number(answer.headers.get("retry-after"));
  const foreign = !codes.has(body?.code);
  const error = {
    code: foreign ? codeOfStatus(answer.status) : body.code, message: body?.message || `The server answered ${answer.status}.`,
    retryAfterMs: retryAfter > 0 ? retryAfter * 1000 : 0, reason: "", fields: [], metadata: {}, status: answer.status, foreign,
  };
  for (const detail of body?.details || []) Object.assign(error, readDetail(detail));
  return new ApiError(error);
}

/** What a detail adds to the error. Connect's JSON has the messages readable in `debug`. */
function readDetail({ type, debug }) {
  switch (String(type).replace(/^.*\//, "")) {
    case "google.rpc.ErrorInfo": return { reason: debug?.reason || "", metadata: debug?.metadata || {} };
    case "google.rpc.BadRequest": return { fields: debug?.fieldViolations || [] };
    case "google.rpc.RetryInfo": return { retryAfterMs: 1000 * parseFloat(debug?.retryDelay || "0") };
    default: return {};
  }
}

/**
 * An answer without Connect's body is one of something between page and service, such as a proxy or the page of a network
 * that wants a sign-in. It refuses nothing, whatever its status says: the call before it may have been made.
 */
function codeOfStatus(status) {
  return { 200: "offline", 401: "unauthenticated", 429: "resource_exhausted", 504: "deadline_exceeded" }[status] || "unavailable";
}

const kinds = { DUE_KIND_DATE: "date", DUE_KIND_LOCAL: "local", DUE_KIND_INSTANT: "instant" };

/** A task of an answer in the shape of events and the feed: snake_case, numbers as numbers, null for what is not set. */
export function taskFromApi(json) {
  if (!json) return null;
  return Object.freeze({
    id: Number(json.id), title: json.title || "", description: json.description ?? null,
    completed: Boolean(json.completed), priority: (json.priority || "PRIORITY_MEDIUM").slice(9).toLowerCase(),
    tags: json.tags || [], due_date: json.dueDate ?? null, due_kind: kinds[json.dueKind] ?? null,
    due_local: json.dueLocal || null, time_zone: json.timeZone || "UTC", recurrence_rule: json.recurrenceRule || null,
    recurrence_basis: json.recurrenceBasis === "RECURRENCE_BASIS_COMPLETION" ? "completion" : "schedule",
    user_id: json.userId || "", created_at: json.createdAt ?? null, updated_at: json.updatedAt ?? null,
    version: Number(json.version || 0), etag: json.etag || `v${json.version || 0}`, series_id: json.seriesId || null,
    occurrence: json.occurrence ? Number(json.occurrence) : null,
    missed_occurrences: Number(json.missedOccurrences || 0), completed_at: json.completedAt ?? null,
    skipped_at: json.skippedAt ?? null,
  });
}

/** A task of the feed, with the etag that the API would give it. */
export function taskFromFeed(json) {
  return Object.freeze({ ...json, id: Number(json.id), etag: `v${json.version}` });
}
