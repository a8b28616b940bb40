import { GetAccountSettingsCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type { AccountLimits } from '../../ports/account-limits.ts';
import { controlPlaneCall, type Pace } from '../aws/control-plane-call.ts';
import { errorOfLambda } from './errors.ts';

export function createLambdaAccountLimits({
  lambda,
  pace,
}: {
  lambda: Pick<LambdaClient, 'send'>;
  pace: Pace;
}): AccountLimits {
  return {
    async unreservedConcurrency() {
      const doing = 'reading the account settings';
      const { AccountLimit } = await controlPlaneCall(
        () => pace('read'),
        (options) => lambda.send(new GetAccountSettingsCommand({}), options),
        (error) => errorOfLambda(error, doing),
      );
      const units = AccountLimit?.UnreservedConcurrentExecutions;
      if (units !== undefined) return units;
      throw new ControlPlaneError(`${doing}: Lambda did not name the unreserved concurrency`, {
        code: 'ACCOUNT_UNCLEAR',
        reaction: 'not-yet',
      });
    },
  };
}
