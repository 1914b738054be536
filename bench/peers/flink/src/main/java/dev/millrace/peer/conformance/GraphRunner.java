package dev.millrace.peer.conformance;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedMultiInput;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.StatusWatermarkValve;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;

/**
 * Runs a translated StreamGraph one element at a time: every operator is Flink's own, in Flink's own operator harness;
 * every input has Flink's own {@link StatusWatermarkValve}. An element is followed through the whole graph, depth
 * first, before the next one enters, as in a chain; so the interleaving of several inputs is exactly the scripted one.
 */
final class GraphRunner implements AutoCloseable {
    private final Map<Integer, Node> nodes = new HashMap<>();
    private final Map<String, Node> sources = new HashMap<>();
    private final List<Node> topological = new ArrayList<>();
    private final List<Emission> emissions = new ArrayList<>();
    private int step;
    private final long autoWatermarkInterval;
    private long processingTime;

    GraphRunner(StreamGraph graph) throws Exception {
        autoWatermarkInterval = graph.getExecutionConfig().getAutoWatermarkInterval();
        List<StreamNode> sorted = graph.getStreamNodesSortedTopologicallyFromSources();
        for (StreamNode streamNode : sorted) {
            Node node = new Node(streamNode);
            nodes.put(streamNode.getId(), node);
            topological.add(node);
        }
        // Downstream first, so that whatever an operator emits while it opens has somewhere to go.
        for (int i = topological.size() - 1; i >= 0; i--) {
            topological.get(i).open();
        }
    }

    List<Emission> run(Case test, List<String> order) throws Exception {
        Map<String, Integer> positions = new HashMap<>();
        for (String stream : order) {
            List<Case.Step> script = test.inputs().get(stream);
            int position = positions.merge(stream, 1, Integer::sum) - 1;
            feed(sources.get(Plumbing.SOURCE_PREFIX + stream), script.get(position));
            fireProcessingTimers();
            step++;
        }
        for (String stream : test.inputs().keySet()) {
            Node source = sources.get(Plumbing.SOURCE_PREFIX + stream);
            source.emitWatermark(Watermark.MAX_WATERMARK);
            source.emitEnd();
            step++;
        }
        return emissions;
    }

    /** The sum of the late drops counted by all window operators. */
    long lateDropped() throws IllegalAccessException {
        long sum = 0;
        for (Node node : topological) {
            if (node.harness != null) {
                sum += counter(node.harness.getOperator(), "numLateRecordsDropped");
            }
        }
        return sum;
    }

    private void feed(Node source, Case.Step element) throws Exception {
        switch (element.kind()) {
            // A copy, since operators may change what they are given.
            case RECORD -> source.emitRecord(new StreamRecord<Object>(copy(element.event()), element.time()), null);
            case WATERMARK -> source.emitWatermark(new Watermark(element.time()));
            case IDLE -> source.emitStatus(WatermarkStatus.IDLE);
            case ACTIVE -> source.emitStatus(WatermarkStatus.ACTIVE);
            case PROCESSING_TIME -> processingTime = element.time();
        }
    }

    /** As the mailbox would: timers that are due, also those just registered for the past, fire between two elements. */
    private void fireProcessingTimers() throws Exception {
        for (Node node : topological) {
            if (node.harness != null) {
                node.harness.setProcessingTime(processingTime);
            }
        }
    }

    private static Event copy(Event event) {
        Event copy = new Event(event.id, event.k, event.v);
        copy.c = event.c;
        copy.a = event.a;
        copy.b = event.b;
        return copy;
    }

    private static long counter(Object operator, String name) throws IllegalAccessException {
        for (Class<?> type = operator.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (field.getName().equals(name)) {
                    field.setAccessible(true);
                    return ((Counter) field.get(operator)).getCount();
                }
            }
        }
        return 0;
    }

    @Override
    public void close() throws Exception {
        for (Node node : topological) {
            if (node.harness != null) {
                node.harness.close();
            }
        }
    }

    /** An operator with its valves, or one end of the graph. */
    private final class Node implements Downstream {
        private final StreamNode streamNode;
        private final String outputTag;
        private final Map<StreamEdge, Channel> channels = new HashMap<>();
        private final StatusWatermarkValve[] valves;
        private final int[] openChannels;
        private AbstractStreamOperatorTestHarness<Object> harness;

        Node(StreamNode streamNode) {
            this.streamNode = streamNode;
            String name = streamNode.getOperatorName();
            boolean isSource = streamNode.getInEdges().isEmpty();
            if (isSource) {
                sources.put(name.substring("Source: ".length()), this);
            }
            this.outputTag = name.startsWith(Plumbing.OUTPUT_PREFIX)
                    ? name.substring(Plumbing.OUTPUT_PREFIX.length())
                    : null;
            int inputs = Math.max(1, streamNode.getTypeSerializersIn().length);
            this.openChannels = new int[inputs];
            for (StreamEdge edge : streamNode.getInEdges()) {
                int input = Math.max(0, edge.getTypeNumber() - 1);
                channels.put(edge, new Channel(input, openChannels[input]++));
            }
            this.valves = new StatusWatermarkValve[inputs];
            for (int input = 0; input < inputs; input++) {
                valves[input] = openChannels[input] == 0 ? null : new StatusWatermarkValve(openChannels[input]);
            }
        }

        private boolean isOperator() {
            return outputTag == null && !streamNode.getInEdges().isEmpty() && !afterOutput();
        }

        /** The discarding sink behind an output. */
        private boolean afterOutput() {
            return streamNode.getOutEdges().isEmpty() && outputTag == null;
        }

        @SuppressWarnings({"unchecked", "rawtypes"})
        void open() throws Exception {
            if (!isOperator()) {
                return;
            }
            harness = new AbstractStreamOperatorTestHarness<>(
                    (org.apache.flink.streaming.api.operators.StreamOperatorFactory) streamNode.getOperatorFactory(),
                    1,
                    1,
                    0);
            // The harness has an ExecutionConfig of its own, with the default interval.
            harness.getExecutionConfig().setAutoWatermarkInterval(autoWatermarkInterval);
            StreamConfig config = harness.getStreamConfig();
            config.setupNetworkInputs(streamNode.getTypeSerializersIn());
            KeySelector<?, ?>[] selectors = streamNode.getStatePartitioners();
            for (int input = 0; input < selectors.length; input++) {
                if (selectors[input] != null) {
                    config.setStatePartitioner(input, selectors[input]);
                }
            }
            if (streamNode.getStateKeySerializer() != null) {
                config.setStateKeySerializer(streamNode.getStateKeySerializer());
            }
            config.serializeAllConfigs();
            harness.setOutputCreator(serializer -> new RoutingOutput(this, serializer));
            harness.setup((org.apache.flink.api.common.typeutils.TypeSerializer) streamNode.getTypeSerializerOut());
            harness.setProcessingTime(0);
            harness.open();
        }

        @Override
        public void emitRecord(StreamRecord<?> record, org.apache.flink.util.OutputTag<?> tag) throws Exception {
            for (StreamEdge edge : streamNode.getOutEdges()) {
                boolean matches = tag == null ? edge.getOutputTag() == null : tag.equals(edge.getOutputTag());
                if (matches) {
                    Node target = nodes.get(edge.getTargetId());
                    target.receive(target.channels.get(edge).input(), record);
                }
            }
        }

        @Override
        public void emitWatermark(Watermark watermark) throws Exception {
            for (StreamEdge edge : streamNode.getOutEdges()) {
                Node target = nodes.get(edge.getTargetId());
                Channel channel = target.channels.get(edge);
                target.valves[channel.input()].inputWatermark(
                        watermark, channel.index(), new ValveOutput(target, channel.input()));
            }
        }

        @Override
        public void emitStatus(WatermarkStatus status) throws Exception {
            for (StreamEdge edge : streamNode.getOutEdges()) {
                Node target = nodes.get(edge.getTargetId());
                Channel channel = target.channels.get(edge);
                target.valves[channel.input()].inputWatermarkStatus(
                        status, channel.index(), new ValveOutput(target, channel.input()));
            }
        }

        void emitEnd() throws Exception {
            for (StreamEdge edge : streamNode.getOutEdges()) {
                Node target = nodes.get(edge.getTargetId());
                target.end(target.channels.get(edge).input());
            }
        }

        private void end(int input) throws Exception {
            if (harness == null || --openChannels[input] > 0) {
                return;
            }
            AbstractStreamOperator<?> operator = harness.getOperator();
            if (operator instanceof BoundedOneInput bounded) {
                bounded.endInput();
            } else if (operator instanceof BoundedMultiInput bounded) {
                bounded.endInput(input + 1);
            }
            if (java.util.Arrays.stream(openChannels).allMatch(open -> open == 0)) {
                emitEnd();
            }
        }

        @SuppressWarnings({"unchecked", "rawtypes"})
        void receive(int input, StreamRecord<?> record) throws Exception {
            if (outputTag != null) {
                Long timestamp = record.hasTimestamp() ? record.getTimestamp() : null;
                emissions.add(new Emission(
                        step, Emission.Kind.RECORD, outputTag, timestamp, (String) record.getValue()));
                return;
            }
            AbstractStreamOperator<?> operator = harness.getOperator();
            if (operator instanceof OneInputStreamOperator one) {
                one.setKeyContextElement(record);
                one.processElement(record);
            } else {
                TwoInputStreamOperator two = (TwoInputStreamOperator) operator;
                if (input == 0) {
                    two.setKeyContextElement1(record);
                    two.processElement1(record);
                } else {
                    two.setKeyContextElement2(record);
                    two.processElement2(record);
                }
            }
        }

        void receiveWatermark(int input, Watermark watermark) throws Exception {
            if (outputTag != null) {
                // Side outputs see the same watermarks: one record of them is enough.
                if (outputTag.isEmpty()) {
                    emissions.add(
                            new Emission(step, Emission.Kind.WATERMARK, "", watermark.getTimestamp(), null));
                }
            } else if (harness != null) {
                AbstractStreamOperator<?> operator = harness.getOperator();
                if (operator instanceof OneInputStreamOperator<?, ?> one) {
                    one.processWatermark(watermark);
                } else if (input == 0) {
                    ((TwoInputStreamOperator<?, ?, ?>) operator).processWatermark1(watermark);
                } else {
                    ((TwoInputStreamOperator<?, ?, ?>) operator).processWatermark2(watermark);
                }
            }
        }

        void receiveStatus(int input, WatermarkStatus status) throws Exception {
            if (outputTag != null) {
                if (outputTag.isEmpty()) {
                    Emission.Kind kind = status.isIdle() ? Emission.Kind.IDLE : Emission.Kind.ACTIVE;
                    emissions.add(new Emission(step, kind, "", null, null));
                }
            } else if (harness != null) {
                AbstractStreamOperator<?> operator = harness.getOperator();
                if (operator instanceof OneInputStreamOperator<?, ?> one) {
                    one.processWatermarkStatus(status);
                } else if (input == 0) {
                    ((TwoInputStreamOperator<?, ?, ?>) operator).processWatermarkStatus1(status);
                } else {
                    ((TwoInputStreamOperator<?, ?, ?>) operator).processWatermarkStatus2(status);
                }
            }
        }
    }

    private record Channel(int input, int index) {}

    /** What a valve lets through, into the operator behind it. */
    private record ValveOutput(Node target, int input) implements NoRecords {
        @Override
        public void emitWatermark(Watermark watermark) throws Exception {
            target.receiveWatermark(input, watermark);
        }

        @Override
        public void emitWatermarkStatus(WatermarkStatus status) throws Exception {
            target.receiveStatus(input, status);
        }
    }
}
