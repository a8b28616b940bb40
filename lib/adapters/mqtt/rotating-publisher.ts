import { BridgeError } from '../../domain/errors/errors.ts';
import type { MqttPublisher } from '../../ports/mqtt-publisher.ts';

type SecretMembers = Readonly<Record<string, string>>;

interface Made {
  publisher: MqttPublisher;
  /** To compare. Never leaves this process. */
  secret: string;
}

/**
 * A publisher that is made anew when the broker refuses the credentials and the secret has changed since: what was refused is
 * then published once more.
 *
 * @param options.make - may throw when the secret holds nothing of use
 * @param options.renew - the members of the secret as they are now
 */
export function createRotatingPublisher(options: {
  members: SecretMembers;
  make: (members: SecretMembers) => MqttPublisher;
  renew: () => Promise<SecretMembers>;
}): MqttPublisher {
  const { make, renew } = options;
  let current = madeOf(options.members);
  let renewing: Promise<void> | undefined;
  let isClosed = false;

  function madeOf(members: SecretMembers): Made {
    return { publisher: make(members), secret: JSON.stringify(members) };
  }

  async function replace(refused: Made): Promise<void> {
    try {
      const members = await renew();
      if (isClosed || JSON.stringify(members) === refused.secret) return;
      current = madeOf(members);
      await refused.publisher.close();
    } catch (error) {
      // The refusal says more than that no other secret could be had.
      if (!(error instanceof BridgeError)) throw error;
    }
  }

  /** A publisher with another secret than the refused one, if there is another. */
  async function afterRotation(refused: Made): Promise<MqttPublisher | undefined> {
    if (current === refused) {
      renewing ??= replace(refused).finally(() => {
        renewing = undefined;
      });
      await renewing;
    }
    return current === refused ? undefined : current.publisher;
  }

  return {
    async publish(message, publishOptions) {
      const used = current;
      const result = await used.publisher.publish(message, publishOptions);
      if (result.status === 'accepted' || !isRefusal(result.error)) return result;
      const rotated = await afterRotation(used);
      return rotated === undefined ? result : rotated.publish(message, publishOptions);
    },
    async check(deadlineMs) {
      const used = current;
      try {
        await used.publisher.check(deadlineMs);
      } catch (error) {
        const rotated = isRefusal(error) ? await afterRotation(used) : undefined;
        if (rotated === undefined) throw error;
        await rotated.check(deadlineMs);
      }
    },
    async close() {
      isClosed = true;
      await current.publisher.close();
    },
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof BridgeError && error.code === 'CREDENTIALS_REFUSED';
}
