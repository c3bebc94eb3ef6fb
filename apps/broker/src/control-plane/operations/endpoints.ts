/** Where devices connect to, and what there is of domain configurations and authorizers. */

import { invalidRequest, ServiceError } from "../../http/service-error.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { blob, label, map, member, query, structure, text } from "../../http/shape.ts";

const dataEndpoint = "iot:Data-ATS";
/** Types that are the data endpoint here: one root vouches for all of them. */
const dataEndpointTypes: ReadonlySet<string> = new Set(["iot:Data", dataEndpoint, "iot:Data-Beta"]);
const httpText = text({ least: 1, most: 8192 });

/** The operations. */
export const endpointOperations: readonly Operation[] = [
  operation("DescribeEndpoint", "GET /endpoint", {
    members: { endpointType: query(text({ most: 128 })) },
    run({ registry, scope }, { endpointType = "iot:Data" }) {
      if (!dataEndpointTypes.has(endpointType)) {
        const known = [...dataEndpointTypes].join(", ");
        throw invalidRequest("endpointType", `has no endpoint here: ${known} have`);
      }
      return { endpointAddress: registry.describeAccount(scope).endpoint };
    },
  }),
  operation("DescribeDomainConfiguration", "GET /domainConfigurations/{domainConfigurationName}", {
    exceptions: ["ResourceNotFoundException"],
    members: {
      domainConfigurationName: label(
        text({ least: 1, most: 128, pattern: /^[\w.:-]+$/, allowed: "letters, digits and _ . : -" }),
      ),
    },
    run({ registry, scope }, { domainConfigurationName }) {
      if (domainConfigurationName !== dataEndpoint) {
        throw notFound(`there is no domain configuration ${domainConfigurationName}: ${dataEndpoint} is the only one`);
      }
      return {
        domainConfigurationName,
        domainConfigurationArn: `arn:aws:iot:${scope.region}:${scope.account}:domainconfiguration/${domainConfigurationName}`,
        domainName: registry.describeAccount(scope).endpoint,
        serverCertificates: [],
        domainConfigurationStatus: "ENABLED",
        serviceType: "DATA",
        domainType: "ENDPOINT",
      };
    },
  }),
  operation("TestInvokeAuthorizer", "POST /authorizer/{authorizerName}/test", {
    access: "read",
    exceptions: ["ResourceNotFoundException"],
    members: {
      authorizerName: label(
        text({ least: 1, most: 128, pattern: /^[\w=,@-]+$/, allowed: "letters, digits and _ = , @ -" }),
      ),
      token: member(text({ least: 1, most: 6144 })),
      tokenSignature: member(text({ least: 1, most: 2560 })),
      httpContext: member(
        structure({ headers: member(map(httpText)), queryString: member(text({ least: 1, most: 4096 })) }),
      ),
      mqttContext: member(
        structure({
          username: member(text({ least: 1, most: 65_535 })),
          password: member(blob(65_535)),
          clientId: member(text({ least: 1, most: 65_535 })),
        }),
      ),
      tlsContext: member(structure({ serverName: member(text({ least: 1, most: 253 })) })),
    },
    run(_, { authorizerName }) {
      throw notFound(`there is no authorizer ${authorizerName}: custom authorizers are not supported`);
    },
  }),
];

function notFound(message: string): ServiceError {
  return new ServiceError("ResourceNotFoundException", message);
}
