import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * RocketMQ's classic Java client: prints one line for each message that it is given, until its input ends: queue, offset, key, the
 * time at which the broker stored it, and one property (`-`: it has none).
 *
 * Arguments: name server, topic, consumer group, property.
 */
public class StoredConsumer {
  public static void main(String[] args) throws Exception {
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[2]);
    consumer.setNamesrvAddr(args[0]);
    consumer.setVipChannelEnabled(false);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.subscribe(args[1], "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      print(messages, args[3]);
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    System.out.println("ready");
    while (System.in.read() >= 0) continue;
    consumer.shutdown();
    System.exit(0);
  }

  private static synchronized void print(List<MessageExt> messages, String property) {
    StringBuilder lines = new StringBuilder();
    for (MessageExt message : messages) {
      lines.append(message.getBrokerName()).append('/').append(message.getQueueId()).append(' ').append(message.getQueueOffset());
      lines.append(' ').append(orNone(message.getKeys())).append(' ').append(message.getStoreTimestamp());
      lines.append(' ').append(orNone(message.getProperty(property))).append('\n');
    }
    System.out.print(lines);
    System.out.flush();
  }

  private static String orNone(String text) {
    return text == null || text.isEmpty() ? "-" : text;
  }
}
