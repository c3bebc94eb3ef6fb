import { expect, test } from "vitest";
import { addressGroup } from "../../src/listeners/address-group.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
  ["2001:db8:7::", "2001:db8:7:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0:0:0:0:1%eth0"],
  ["fe80::1", "fe80:0:0:0:0:0:0:1"],
  ["febf::a:1%2", "febf:0:0:0:0:0:a:1%2"],
  ["fec0::1", "fec0:0:0:0::/64"],
  ["64:ff9b::192.0.2.1", "192.0.2.1"],
  ["64:ff9b::c000:201", "192.0.2.1"],
  ["64:ff9b:0:1::c000:201", "64:ff9b:0:1::/64"],
  ["64:ff9b:1::c000:201", "64:ff9b:1:0::/64"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:0a00:0001", "10.0.0.1"],
  ["::fffe:192.0.2.1", "0:0:0:0::/64"],
  ["::1:2:3:4:5:192.0.2.1", "0:1:2:3::/64"],
])("%s counts as %s", (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test("a client that changes its address within its network stays in its group, another network is another one", () => {
  const group = addressGroup("2001:db8::1");
  expect(addressGroup("2001:db8::ffff:1:2:3")).toBe(group);
  expect(addressGroup("2001:db8:0:1::1")).not.toBe(group);
});

test("clients of one link, and clients behind one NAT64, are different ones", () => {
  expect(addressGroup("fe80::1%eth0")).not.toBe(addressGroup("fe80::2%eth0"));
  expect(addressGroup("fe80::1%eth0")).not.toBe(addressGroup("fe80::1%eth1"));
  expect(addressGroup("64:ff9b::192.0.2.1")).not.toBe(addressGroup("64:ff9b::192.0.2.2"));
});
