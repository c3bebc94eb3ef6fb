/** The policy of the pizzeria. The buttons' own policies come with their identities. */

const account = "arn:aws:iot:us-east-1:000000000000";

/** The pizzeria reads every order and can send none. */
export const pizzeriaPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${account}:client/pizzeria` },
    { Effect: "Allow", Action: "iot:Subscribe", Resource: `${account}:topicfilter/iotbutton/+` },
    { Effect: "Allow", Action: "iot:Receive", Resource: `${account}:topic/iotbutton/*` },
  ],
};
