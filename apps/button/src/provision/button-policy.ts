/** The policies of buttons: the one that AWS's wizard writes for each button, and the one for all of them. */

/** The policy of all buttons whose certificates have their serial number. */
export const sharedPolicyName = "iotbutton";

/** The policy of one button whose certificate says nothing about it. The name is the one of AWS's quickstart. */
export function ownPolicyName(serialNumber: string): string {
  return `iotbutton_${serialNumber}`;
}

/** A policy that lets a button publish on its own topic, and connect for `--mqtt`. `arn` is of the certificate's account. */
export function buttonPolicy(arn: string, serialNumber: string): string {
  const prefix = arn.split(":").slice(0, 5).join(":");
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Publish", Resource: `${prefix}:topic/iotbutton/${serialNumber}` },
      { Effect: "Allow", Action: "iot:Connect", Resource: `${prefix}:client/${serialNumber}` },
    ],
  });
}

/** Stands for the serial number in the certificate that a button has shown. */
export const serialNumberVariable = "${iot:Certificate.Subject.SerialNumber}";
