package eve;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Raw access to memory by its address. */
final class Memory {
    /** All memory; an offset in it is an address. As a constant it costs no object to carry and no bounds check that matters. */
    static final MemorySegment ALL = all();

    static final ValueLayout.OfByte I8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final VarHandle ATOMIC_INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle ATOMIC_LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private Memory() {}

    private static MemorySegment all() {
        try {
            return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
        } catch (IllegalCallerException e) {
            throw new EveException(0, "this JVM forbids native access: start java with --enable-native-access=ALL-UNNAMED", e);
        }
    }

    static int acquireInt(long address) {
        return (int) ATOMIC_INT.getAcquire(ALL, address);
    }

    static long acquireLong(long address) {
        return (long) ATOMIC_LONG.getAcquire(ALL, address);
    }

    static byte[] bytes(long address, int length) {
        byte[] b = new byte[length];
        MemorySegment.copy(ALL, I8, address, b, 0, length);
        return b;
    }
}
