import { createServer } from "node:http";
import { receive } from "./verification.js";

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    response.statusCode = request.method === "POST" ? receive(body, request.headers["x-signature"]) : 405;
    response.end();
  });
}).listen(Number(process.env.PORT ?? 8000), "127.0.0.1");
