package dev.millrace.peer.conformance;

/** The one record type of all conformance inputs; a Flink POJO, so fields can be named in {@code sum("v")}. */
public class Event implements java.io.Serializable {
    /** Position in its stream's script, from 1: identifies the record in outputs. */
    public int id;

    /** Key. */
    public String k = "";

    /** Value. */
    public long v;

    /** Command to the pipeline; empty for plain data. */
    public String c = "";

    /** First argument of the command, or the gap of a dynamic session. */
    public long a;

    /** Second argument of the command. */
    public long b;

    public Event() {}

    public Event(int id, String k, long v) {
        this.id = id;
        this.k = k;
        this.v = v;
    }
}
