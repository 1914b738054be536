/**
 * The layout of an encoded batch. All numbers are little-endian, all columns start at a multiple of eight bytes.
 *
 *     u32 magic | u32 offset of the head | time stamps | key hashes | for each group: its columns | head | padding
 *
 * The head (varints) holds the counts, the shape of each group, and kind and length of each column. Rows are grouped by shape; runs say
 * in which order the groups' rows take turns. A buffer has at least as many bytes as records, so that a reader can bound what it allocates.
 */
export const BATCH_MAGIC = 0x3142524d; // "MRB1"
export const BATCH_PREFIX_BYTES = 8;

export const FLAG_HASHES = 1;
export const FLAG_MARKS = 2;
export const FLAG_COMBINED = 4;

// Nodes of a shape. A record is a tree of them; the leaves are columns.
/** Any value, one after the other in the value format. */
export const NODE_ANY = 0;
export const NODE_NUMBER = 1;
export const NODE_STRING = 2;
export const NODE_BOOLEAN = 3;
export const NODE_DATE = 4;
/** A bigint of at most 64 bits. */
export const NODE_BIGINT = 5;
/** An int32 that is not -0. */
export const NODE_INT = 6;
/** A plain object with exactly these keys in this order. */
export const NODE_OBJECT = 7;
/** An array of exactly this length, without holes. */
export const NODE_TUPLE = 8;

// What a row of a node holds when it is not what the node's kind says.
export const ROW_NULL = 1;
export const ROW_UNDEFINED = 2;
/** The next value of the node's exceptions, in the value format. */
export const ROW_EXCEPTION = 3;

// Widths of integer columns; numbers that are not all int32 are doubles.
export const WIDTH_INT8 = 0;
export const WIDTH_INT16 = 1;
export const WIDTH_INT32 = 2;
export const WIDTH_DOUBLE = 3;

export const TEXT_UTF8 = 0;
/** Only for text with lone surrogates, which UTF-8 cannot carry. */
export const TEXT_UTF16 = 1;

// How lengths of strings are kept.
export const LENGTHS_UINT8 = 0;
export const LENGTHS_UINT16 = 1;
export const LENGTHS_UINT32 = 2;

export const TIMES_NONE = 0;
export const TIMES_DOUBLE = 1;
export const TIMES_EQUAL = 2;
/** A base (the smallest), then unsigned offsets. */
export const TIMES_UINT16 = 3;
export const TIMES_UINT32 = 4;

/** Generating code for a shape takes as long as some hundred records in the value format, so short-lived edges go without. */
export const COMPILE_AFTER_RECORDS = 256;
export const MAX_SHAPE_NODES = 1024;
export const MAX_SHAPE_DEPTH = 6;
export const MAX_TUPLE_LENGTH = 16;
/** Text may take three bytes a unit while it is encoded, and offsets are int32. */
export const MAX_BATCH_BYTES: number = 2 ** 31 - 64;
