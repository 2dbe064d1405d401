import Fastify from "fastify";
import { receive } from "./verification.js";

const app = Fastify({ bodyLimit: 2 * 1024 * 1024 });

// A scope of its own: other routes keep their JSON parser.
app.register(async (webhooks) => {
  webhooks.removeAllContentTypeParsers();
  webhooks.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
  webhooks.post("/hook", (request, reply) => {
    const body = request.body ?? Buffer.alloc(0);
    reply.code(receive(body, request.headers["x-signature"])).send();
  });
});

app.listen({ port: Number(process.env.PORT ?? 8000), host: "127.0.0.1" });
