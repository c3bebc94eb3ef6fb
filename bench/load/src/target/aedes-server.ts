/** Program: aedes with the access rule of the bench: own name as client identifier, publish below it, read all. */

import { Aedes } from "aedes";
import { serve } from "./serve.ts";
import { topicRoot } from "./target.ts";

const broker = await Aedes.createBroker({
  // The limits of our broker: see packages/broker-core/src/limits.ts.
  queueLimit: 1000,
  authenticate: (client, _username, _password, done) => done(null, isOwnName(client)),
  authorizePublish: (client, packet, done) => {
    const isAllowed = client !== null && packet.topic.startsWith(`${topicRoot}/${client.id}/`);
    done(isAllowed ? null : new Error("not allowed to publish"));
  },
  authorizeSubscribe: (_client, subscription, done) => {
    const isAllowed = withoutShare(subscription.topic).startsWith(`${topicRoot}/`);
    done(null, isAllowed ? subscription : null);
  },
  authorizeForward: (_client, packet) => (packet.topic.startsWith(`${topicRoot}/`) ? packet : null),
});

serve((socket) => {
  broker.handle(socket);
});

/** Over TLS the client identifier has to be the certificate's common name. */
function isOwnName(client: { readonly id: string; readonly conn: object }): boolean {
  const { conn } = client;
  if (!("getPeerCertificate" in conn) || typeof conn.getPeerCertificate !== "function") return true;
  const certificate: unknown = conn.getPeerCertificate();
  if (typeof certificate !== "object" || certificate === null || !("subject" in certificate)) return false;
  const { subject } = certificate;
  return typeof subject === "object" && subject !== null && "CN" in subject && subject.CN === client.id;
}

function withoutShare(filter: string): string {
  return filter.replace(/^\$share\/[^/]+\//, "");
}
