// Verifies cStar's deliveries and acts once on each event. Needs only Node.
import { createHmac, timingSafeEqual } from "node:crypto";
import { appendFileSync } from "node:fs";

const SECRET = process.env.WEBHOOK_SECRET; // the whole secret, including whsec_
const TOLERANCE = 300; // seconds, in both directions
const ACTED = process.env.ACTED_FILE ?? "acted.txt";
const known = new Set();

/** Verifies a delivery, acts on its event, and returns the status to respond with. The body is a Buffer. */
export function receive(body, header) {
  if (!isGenuine(body, header ?? "")) return 401;
  let event;
  try {
    event = JSON.parse(body);
  } catch {
    return 400;
  }
  if (typeof event?.id !== "string") return 400;
  actOnce(event.id);
  return 200;
}

function isGenuine(body, header) {
  const parts = header.split(",").map((part) => part.trim().split(/=(.*)/));
  const timestamp = parts.find(([name]) => name === "t")?.[1] ?? "";
  if (!/^[0-9]{1,12}$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false;
  const expected = createHmac("sha256", SECRET).update(`${timestamp}.`).update(body).digest("hex");
  return parts.some(([name, value]) => name === "v1" && isEqual(expected, value ?? ""));
}

/** timingSafeEqual throws if the lengths differ. */
function isEqual(expected, signature) {
  const [first, second] = [Buffer.from(expected), Buffer.from(signature)];
  return first.length === second.length && timingSafeEqual(first, second);
}

/** Your work goes here. A unique key in your database replaces the set: it also works across processes and restarts. */
function actOnce(id) {
  if (known.has(id)) return;
  appendFileSync(ACTED, `${id}\n`);
  known.add(id);
}
