import express from "express";
import { receive } from "./verification.js";

const app = express();

// Register this route before any app.use(express.json()).
app.post("/hook", express.raw({ type: () => true, limit: "2mb" }), (request, response) => {
  const body = request.body ?? Buffer.alloc(0);
  response.status(receive(body, request.get("X-Signature"))).end();
});

app.listen(Number(process.env.PORT ?? 8000), "127.0.0.1");
