/** What the bench can start by itself. */

/** All targets, ours first. `latchkey-tls` is our broker on our own TLS engine instead of node:tls. */
export const targetNames = ["latchkey", "latchkey-tls", "mosquitto", "aedes", "node-tls"] as const;
export type TargetName = (typeof targetNames)[number];

/** What the target is compared with. */
export const peerNames = ["latchkey-tls", "mosquitto", "aedes", "node-tls"] as const;
export type PeerName = (typeof peerNames)[number];

/** Whether a name is that of a target which the bench starts; anything else is a URL. */
export function isTargetName(name: string): name is TargetName {
  return targetNames.some((one) => one === name);
}
