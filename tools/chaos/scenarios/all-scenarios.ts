import { filesToKafka } from "./files-to-kafka.js";
import { files } from "./files.js";
import { kafkaToFiles } from "./kafka-to-files.js";
import { kafkaToKafka } from "./kafka-to-kafka.js";
import { kafkaToPostgres } from "./kafka-to-postgres.js";
import type { Scenario } from "./scenario.js";

export const scenarios: readonly Scenario[] = [files, kafkaToKafka, kafkaToFiles, filesToKafka, kafkaToPostgres];
