import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Receives with RocketMQ's classic Java client, as most consumers do, and tells how old messages are when they arrive. In a
 * process of its own: nothing else delays it.
 *
 * Arguments: name server, topic, consumer group, messages that do not count, messages that do.
 */
public class LatencyConsumer {
    /** Where a message has its number, and the nanoseconds at which it was published, by the clock of `System.nanoTime`. */
    private static final int NUMBER_AT = 0;
    private static final int SENT_AT = 4;

    private final int skip;
    private final long[] ages;
    private final CountDownLatch missing;

    private LatencyConsumer(int skip, int count) {
        this.skip = skip;
        ages = new long[skip + count];
        missing = new CountDownLatch(skip + count);
    }

    public static void main(String[] args) throws Exception {
        LatencyConsumer latency = new LatencyConsumer(Integer.parseInt(args[3]), Integer.parseInt(args[4]));
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
        consumer.setNamesrvAddr(args[0]);
        consumer.setVipChannelEnabled(false);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(args[1], "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            long now = System.nanoTime();
            for (MessageExt message : messages) latency.note(ByteBuffer.wrap(message.getBody()), now);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        System.out.println("latency ready");
        latency.missing.await();
        System.out.println("latencies " + latency.summary());
        consumer.shutdown();
        System.exit(0);
    }

    /** The first arrival counts. */
    private synchronized void note(ByteBuffer body, long now) {
        int number = body.getInt(NUMBER_AT);
        if (number < 0 || number >= ages.length || ages[number] != 0) return;
        ages[number] = Math.max(1, now - body.getLong(SENT_AT));
        missing.countDown();
    }

    private String summary() {
        long[] counted = Arrays.copyOfRange(ages, skip, ages.length);
        Arrays.sort(counted);
        return String.format(
            Locale.ROOT,
            "{\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
            at(counted, 0.5), at(counted, 0.95), at(counted, 0.99), at(counted, 1));
    }

    private static double at(long[] sorted, double share) {
        return sorted[(int) Math.ceil(sorted.length * share) - 1] / 1e6;
    }
}
