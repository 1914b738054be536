import type { Boundedness, Source, SourceReader, SourceReaderContext, SplitEnumerator, SplitEnumeratorContext, TypeInformation } from "@millrace/core";
import { KafkaEnumerator } from "./kafka-enumerator.js";
import type { KafkaEnumeratorState } from "./kafka-enumerator.js";
import { sourceSettings } from "./kafka-source-options.js";
import type { KafkaSourceOptions, KafkaSourceSettings } from "./kafka-source-options.js";
import { KafkaSourceReader } from "./kafka-source-reader.js";
import type { KafkaSplit } from "./kafka-split.js";
import { splitIdOf } from "./kafka-split.js";

/**
 * Reads Kafka topics, exactly once: a checkpoint holds the position in every partition, and aborted transactions are never seen.
 *
 * Each record has Kafka's time stamp; records of one partition come in its order. A partition counts as a split: watermarks are made per partition.
 * Brokers that cannot be reached are tried again for ever once the job runs, for a minute when it starts (`KAFKA_UNREACHABLE` then). Other errors:
 * `KAFKA_TOPIC_NOT_FOUND`, `KAFKA_PARTITION_NOT_FOUND`, `KAFKA_OFFSET_UNKNOWN`, `KAFKA_OFFSET_OUT_OF_RANGE`, `KAFKA_RECORD_MALFORMED`,
 * `KAFKA_AUTHENTICATION_FAILED`, `KAFKA_AUTHORIZATION_FAILED`, `KAFKA_VERSION_UNSUPPORTED`, `KAFKA_REQUEST_FAILED`. Needs Kafka 3.1 or later. Flink: KafkaSource.
 *
 * ```ts
 * const orders = KafkaSource.of({ bootstrapServers: "localhost:9092", topics: "orders", value: JsonSchema.of<Order>() });
 * ```
 */
export class KafkaSource<T> implements Source<T, KafkaSplit, KafkaEnumeratorState> {
  readonly boundedness: Boundedness;
  readonly description: string;
  /** The records' type, when the format knows it. */
  readonly producedType: TypeInformation<T> | undefined;
  readonly #settings: KafkaSourceSettings<T>;

  private constructor(settings: KafkaSourceSettings<T>) {
    this.#settings = settings;
    this.boundedness = settings.stoppingOffsets === undefined ? "continuous-unbounded" : "bounded";
    this.description = `Kafka ${settings.topics?.join(", ") ?? settings.topicPattern?.toString() ?? settings.partitions!.map(splitIdOf).join(", ")}`;
    this.producedType = settings.value?.producedType;
  }

  /** @throws `OPTION_INVALID`, `DURATION_INVALID` */
  static of<T>(options: KafkaSourceOptions<T>): KafkaSource<T> {
    return new KafkaSource(sourceSettings(options));
  }

  createEnumerator(context: SplitEnumeratorContext<KafkaSplit>, restored: KafkaEnumeratorState | undefined): SplitEnumerator<KafkaSplit, KafkaEnumeratorState> {
    return new KafkaEnumerator(context, this.#settings as KafkaSourceSettings<unknown>, restored);
  }

  createReader(context: SourceReaderContext): SourceReader<T, KafkaSplit> {
    return new KafkaSourceReader(context, this.#settings);
  }
}
