package dev.millrace.peer;

/** The generator's and the checksum's arithmetic: 32-bit integers only, so that any language can repeat it. */
final class Mix {
    /** Checksums are sums modulo 2^52: one more 32-bit number can then be added in a 64-bit float, exactly. */
    static final long CHECKSUM_MASK = (1L << 52) - 1;

    private static final int LONG_TEXT = 32;
    private static final int LONG_TEXT_STRIDE = 8;

    private Mix() {}

    /** The pseudo-random number {@code field} of record {@code index}. */
    static int random(int index, int field) {
        int x = (index ^ (field * 0x85EBCA6B)) + 0x9E3779B9;
        x ^= x >>> 16;
        x *= 0x21F0AAAD;
        x ^= x >>> 15;
        x *= 0x735A2D97;
        return x ^ (x >>> 15);
    }

    /** A number in [0, bound) of a random one; bound at most 2^21. */
    static int below(int random, int bound) {
        return (int) ((Integer.toUnsignedLong(random) * bound) >>> 32);
    }

    static int start() {
        return 0x811C9DC5;
    }

    static int fold(int hash, int word) {
        int h = (hash ^ word) * 0x9E3779B1;
        return h ^ (h >>> 15);
    }

    static int fold(int hash, long value) {
        return fold(fold(hash, (int) value), (int) (value >>> 32));
    }

    /** Length, then every code unit; of texts longer than 32 only each 8th and the last. */
    static int fold(int hash, String text) {
        int length = text.length();
        int h = fold(hash, length);
        int stride = length > LONG_TEXT ? LONG_TEXT_STRIDE : 1;
        for (int i = 0; i < length; i += stride) {
            h = fold(h, text.charAt(i));
        }
        return stride > 1 ? fold(h, text.charAt(length - 1)) : h;
    }
}
