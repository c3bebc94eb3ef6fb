/** What the bench can start by itself. */

/** All targets, ours first. */
export const targetNames = ["latchkey", "mosquitto", "aedes", "node-tls"] as const;
export type TargetName = (typeof targetNames)[number];

/** What ours is compared with. */
export const peerNames = ["mosquitto", "aedes", "node-tls"] as const;
export type PeerName = (typeof peerNames)[number];
