/** Scenario files: the settings as JSON, and the JSON Schema that editors check them with. */

import { readFileSync } from "node:fs";
import { LoadError, messageOf } from "./errors.ts";
import { readSetting, settingDescriptions, settingNames, suggestion, type Settings } from "./settings.ts";

/** Reads a scenario file. Throws `ERR_LOAD_USAGE`, which names the file and the field. */
export function readScenarioFile(file: string): Partial<Settings> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new LoadError("ERR_LOAD_USAGE", `${file} cannot be read as a scenario file: ${messageOf(cause)}`, { cause });
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new LoadError("ERR_LOAD_USAGE", `${file} is no scenario file: it must hold one JSON object`);
  }
  const settings: Partial<Record<keyof Settings, unknown>> = {};
  for (const [field, value] of Object.entries(content)) {
    if (field === "$schema") continue;
    const name = settingNames.find((one) => one === field);
    if (name === undefined) {
      const hint = suggestion(field, settingNames);
      throw new LoadError(
        "ERR_LOAD_USAGE",
        `${file}: ${field} is no setting${hint}; there are: ${settingNames.join(", ")}`,
      );
    }
    settings[name] = readSetting(name, value, `${file}: ${field}`);
  }
  return settings as Partial<Settings>;
}

/** The JSON Schema of scenario files; `scenario-file.schema.json` is this, and a test keeps them equal. */
export function scenarioFileSchema(): Record<string, unknown> {
  const properties = settingNames.map((name) => {
    const { kind, about } = settingDescriptions[name];
    return [name, { ...schemaOf(kind), description: about }] as const;
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Scenario file of the Latchkey load bench",
    type: "object",
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
    required: ["scenario"],
    additionalProperties: false,
  };
}

function schemaOf(kind: (typeof settingDescriptions)[keyof Settings]["kind"]): Record<string, unknown> {
  switch (kind.type) {
    case "text":
      return { type: "string", minLength: 1 };
    case "boolean":
      return { type: "boolean" };
    case "choice":
      return { enum: kind.values };
    case "number":
      return { type: kind.whole ? "integer" : "number", minimum: kind.least, maximum: kind.most };
    case "choices":
      return { type: "array", items: { enum: kind.values }, minItems: 1, uniqueItems: true };
    case "numbers":
      return { type: "array", items: { type: "integer", minimum: kind.least, maximum: kind.most }, minItems: 1 };
  }
}
