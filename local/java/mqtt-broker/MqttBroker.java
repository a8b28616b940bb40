import com.hivemq.configuration.service.InternalConfigurations;
import com.hivemq.embedded.EmbeddedExtension;
import com.hivemq.embedded.EmbeddedHiveMQ;
import com.hivemq.extension.sdk.api.ExtensionMain;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthInput;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthOutput;
import com.hivemq.extension.sdk.api.packets.connect.ConnackReasonCode;
import com.hivemq.extension.sdk.api.packets.connect.ConnectPacket;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartOutput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopOutput;
import com.hivemq.extension.sdk.api.services.Services;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;

/**
 * HiveMQ CE that knows one user. Argument: its home, with {@code conf/config.xml} in it. Environment: {@code
 * MQTT_USERNAME}, {@code MQTT_PASSWORD}, and, where the broker's own 50 are too few, {@code MQTT_MAX_INFLIGHT}: messages
 * that a client may have unacknowledged. Prints {@code mqtt broker ready} once it listens.
 */
public final class MqttBroker {

    private MqttBroker() {}

    public static void main(final String[] arguments) throws Exception {
        final Path home = Path.of(arguments[0]);
        final Path extensions = Files.createDirectories(home.resolve("extensions"));
        final Path data = Files.createDirectories(home.resolve("data"));
        final OneUser extension = new OneUser(environment("MQTT_USERNAME"), environment("MQTT_PASSWORD"));
        final String maxInflight = System.getenv("MQTT_MAX_INFLIGHT");
        if (maxInflight != null) {
            InternalConfigurations.MAX_INFLIGHT_WINDOW_SIZE_MESSAGES = Integer.parseInt(maxInflight);
        }
        final EmbeddedHiveMQ broker =
                EmbeddedHiveMQ.builder()
                        .withConfigurationFolder(home.resolve("conf"))
                        .withDataFolder(data)
                        .withExtensionsFolder(extensions)
                        .withEmbeddedExtension(
                                EmbeddedExtension.builder()
                                        .withId("one-user")
                                        .withName("One user")
                                        .withVersion("1")
                                        .withExtensionMain(extension)
                                        .build())
                        .build();
        // In the hook: the JVM does not wait for main once it is told to end.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> broker.stop().join()));
        broker.start().join();
        System.out.println("mqtt broker ready");
    }

    private static String environment(final String name) {
        final String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(name + " is not set");
        }
        return value;
    }

    /** HiveMQ refuses every client until an extension decides who may connect. */
    private static final class OneUser implements ExtensionMain, SimpleAuthenticator {

        private final String username;
        private final byte[] password;

        OneUser(final String username, final String password) {
            this.username = username;
            this.password = password.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public void extensionStart(final ExtensionStartInput input, final ExtensionStartOutput output) {
            Services.securityRegistry().setAuthenticatorProvider(provider -> this);
        }

        @Override
        public void extensionStop(final ExtensionStopInput input, final ExtensionStopOutput output) {}

        @Override
        public void onConnect(final SimpleAuthInput input, final SimpleAuthOutput output) {
            if (isUser(input.getConnectPacket())) {
                output.authenticateSuccessfully();
            } else {
                output.failAuthentication(
                        ConnackReasonCode.BAD_USER_NAME_OR_PASSWORD, "user name or password is wrong");
            }
        }

        private boolean isUser(final ConnectPacket packet) {
            final byte[] given = packet.getPassword().map(OneUser::bytes).orElseGet(() -> new byte[0]);
            return packet.getUserName().filter(username::equals).isPresent()
                    && MessageDigest.isEqual(password, given);
        }

        private static byte[] bytes(final ByteBuffer buffer) {
            final byte[] bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            return bytes;
        }
    }
}
