/** Tags of resources. */

import { texts } from "../decode.ts";
import { Table } from "../table.ts";

/** SCOPE/KIND/NAME, KIND as in ARNs: values by key. */
export const tagsOfResource: Table<Readonly<Record<string, string>>> = new Table("tag", texts);
