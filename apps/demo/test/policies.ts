/** The policies of the tests. */

const account = "arn:aws:iot:us-east-1:000000000000";

/** One policy for a million buttons: the variable is the serial number in each one's own certificate. */
export const buttonPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${account}:client/\${iot:Certificate.Subject.SerialNumber}` },
    {
      Effect: "Allow",
      Action: "iot:Publish",
      Resource: `${account}:topic/iotbutton/\${iot:Certificate.Subject.SerialNumber}`,
    },
  ],
};

/** The kitchen reads every order and can send none. */
export const kitchenPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${account}:client/kitchen*` },
    { Effect: "Allow", Action: "iot:Subscribe", Resource: `${account}:topicfilter/iotbutton/*` },
    { Effect: "Allow", Action: "iot:Receive", Resource: `${account}:topic/iotbutton/*` },
  ],
};
