import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * The classic Java client over the remoting protocol, as most consumers of RocketMQ use it: reads one topic and prints one
 * JSON line per message until `count` have come or `seconds` are over.
 *
 * Arguments: name server, topic, consumer group, count, seconds.
 */
public class RemotingConsumer {
  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[3]);
    AtomicInteger seen = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(1);
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
    consumer.setNamesrvAddr(args[0]);
    consumer.setVipChannelEnabled(false);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.subscribe(args[1], "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      print(messages);
      if (seen.addAndGet(messages.size()) >= count) done.countDown();
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    System.out.println("ready");
    boolean all = done.await(Long.parseLong(args[4]), TimeUnit.SECONDS);
    consumer.shutdown();
    System.exit(all ? 0 : 3);
  }

  private static synchronized void print(List<MessageExt> messages) {
    for (MessageExt message : messages) {
      StringBuilder line = new StringBuilder("{\"body\":").append(quoted(message.getBody()));
      line.append(",\"tag\":").append(quoted(bytes(message.getTags())));
      line.append(",\"keys\":").append(quoted(bytes(message.getKeys())));
      line.append(",\"properties\":{");
      String comma = "";
      for (Map.Entry<String, String> property : message.getProperties().entrySet()) {
        line.append(comma).append(quoted(bytes(property.getKey()))).append(':').append(quoted(bytes(property.getValue())));
        comma = ",";
      }
      System.out.println(line.append("}}"));
    }
  }

  private static byte[] bytes(String text) {
    return text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
  }

  /** Base64 in quotes: no text can break the JSON. */
  private static String quoted(byte[] bytes) {
    return '"' + Base64.getEncoder().encodeToString(bytes) + '"';
  }
}
