import { MillraceError } from "@millrace/core";

/**
 * How the subject that a schema belongs to is named: `"topic-name"` `<topic>-value` (or `-key`), `"record-name"` the record's full name,
 * `"topic-record-name"` both with a dash between; or the subject of your choice by a function. Confluent: SubjectNameStrategy.
 */
export type SubjectNameStrategy = "topic-name" | "record-name" | "topic-record-name" | ((topic: string | undefined, recordName: string | undefined, isKey: boolean) => string);

/** @throws `OPTION_INVALID` when the strategy needs a topic or a record's name that is not there */
export function subjectName(strategy: SubjectNameStrategy, topic: string | undefined, recordName: string | undefined, isKey: boolean): string {
  if (typeof strategy === "function") return strategy(topic, recordName, isKey);
  const needed = (value: string | undefined, option: string): string => {
    if (value !== undefined && value !== "") return value;
    throw new MillraceError({
      code: "OPTION_INVALID", message: `the subject is named by "${strategy}", and there is no ${option}`, hint: option === "topic" ? "give the topic" : "give the schema a name", location: { option },
    });
  };
  switch (strategy) {
    case "topic-name": return `${needed(topic, "topic")}-${isKey ? "key" : "value"}`;
    case "record-name": return needed(recordName, "schema");
    case "topic-record-name": return `${needed(topic, "topic")}-${needed(recordName, "schema")}`;
    default: throw new MillraceError({ code: "OPTION_INVALID", message: `"${String(strategy)}" is none of topic-name, record-name, topic-record-name`, location: { option: "subjectNameStrategy" } });
  }
}
