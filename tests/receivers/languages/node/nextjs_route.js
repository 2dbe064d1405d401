// app/hook/route.js
import { receive } from "./verification.js";

export async function POST(request) {
  const body = Buffer.from(await request.arrayBuffer());
  return new Response(null, { status: receive(body, request.headers.get("x-signature")) });
}
