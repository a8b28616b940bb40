import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import javax.net.SocketFactory;
import org.apache.camel.LoggingLevel;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.main.Main;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;

/**
 * Apache Camel with one route, as fast as it goes without losing messages. Argument: {@code session} (MQTT to RocketMQ) or
 * {@code pull}. Everything else comes from the environment. docs/bench.md explains the settings.
 */
public final class CamelPeer {

    private static final int RECEIVE_MAXIMUM = 1_000;
    private static final long SESSION_EXPIRY_SECONDS = 86_400;
    private static final int RETRY_MILLISECONDS = 100;

    public static void main(final String[] args) throws Exception {
        final boolean isSession = args[0].equals("session");
        final Main main = new Main();
        main.configure().withAutoConfigurationEnabled(false);
        main.configure().withJmxEnabled(false).withLoadStatisticsEnabled(false).withMessageHistory(false);
        main.bind("client", isSession ? new LateClient() : connected(new LateClient()));
        main.configure().addRoutesBuilder(isSession ? sessionRoute() : pullRoute());
        main.run();
    }

    private static RouteBuilder sessionRoute() {
        return new RouteBuilder() {
            @Override
            public void configure() {
                retryForEver(this);
                from("paho-mqtt5:" + environment("MQTT_TOPIC") + "?client=#client&qos=1&cleanStart=false"
                                + (isCareful() ? "&manualAcksEnabled=true" : ""))
                        .to("rocketmq:" + environment("ROCKETMQ_TOPIC") + "?namesrvAddr=" + environment("NAME_SERVER")
                                + "&producerGroup=camel&waitForSendResult=true");
            }
        };
    }

    private static RouteBuilder pullRoute() {
        return new RouteBuilder() {
            @Override
            public void configure() {
                retryForEver(this);
                from("rocketmq:" + environment("ROCKETMQ_TOPIC") + "?namesrvAddr=" + environment("NAME_SERVER")
                                + "&consumerGroup=" + environment("CONSUMER_GROUP"))
                        .to("paho-mqtt5:" + environment("MQTT_TOPIC") + "?client=#client&qos=1");
            }
        };
    }

    /** Without it a send that fails once is a message lost. */
    private static void retryForEver(final RouteBuilder route) {
        if (!isCareful()) {
            return;
        }
        route.errorHandler(
                route.defaultErrorHandler()
                        .maximumRedeliveries(-1)
                        .redeliveryDelay(RETRY_MILLISECONDS)
                        .asyncDelayedRedelivery()
                        .logRetryStackTrace(false)
                        .retryAttemptedLogLevel(LoggingLevel.WARN));
    }

    private static MqttClient connected(final LateClient client) throws MqttException {
        client.connect(LateClient.options());
        return client;
    }

    /** Otherwise it is left as Camel comes. */
    private static boolean isCareful() {
        return Boolean.parseBoolean(environment("CAREFUL"));
    }

    private static String environment(final String name) {
        final String value = System.getenv(name);
        if (value == null) {
            throw new IllegalStateException(name + " is missing");
        }
        return value;
    }

    /**
     * Connects when it subscribes. Camel's own client connects first and then says who takes messages: what a resumed session
     * sends in between is dropped, and stays unacknowledged.
     */
    private static final class LateClient extends MqttClient {

        LateClient() throws MqttException {
            super(environment("MQTT_URL"), environment("MQTT_CLIENT_ID"), new MemoryPersistence());
            // Camel says so to its own client only. A client that only publishes has nothing to acknowledge.
            setManualAcks(isCareful());
        }

        static MqttConnectionOptions options() {
            final MqttConnectionOptions options = new MqttConnectionOptions();
            options.setUserName(environment("MQTT_USERNAME"));
            options.setPassword(environment("MQTT_PASSWORD").getBytes(StandardCharsets.UTF_8));
            options.setCleanStart(false);
            options.setSessionExpiryInterval(SESSION_EXPIRY_SECONDS);
            options.setReceiveMaximum(RECEIVE_MAXIMUM);
            options.setSocketFactory(new NoDelaySockets());
            return options;
        }

        @Override
        public IMqttToken subscribe(final String topicFilter, final int qos) throws MqttException {
            if (!isConnected()) {
                connect(options());
            }
            return super.subscribe(topicFilter, qos);
        }
    }

    /** Nagle's delay would hold acknowledgements and messages up. */
    private static final class NoDelaySockets extends SocketFactory {

        @Override
        public Socket createSocket() throws IOException {
            final Socket socket = new Socket();
            socket.setTcpNoDelay(true);
            return socket;
        }

        @Override
        public Socket createSocket(final String host, final int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(final String host, final int port, final InetAddress local, final int localPort) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(final InetAddress host, final int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(final InetAddress host, final int port, final InetAddress local, final int localPort) {
            throw new UnsupportedOperationException();
        }
    }
}
