'use strict';
// Makes the custom resource that cleans up depend on everything else of the stack, so that CloudFormation deletes it
// first: what was made at run time goes while the table, the roles and the function that know about it are still there.
const CLEAN_UP = 'RuntimeResources';

module.exports = class RemoveFirst {
  constructor(serverless) {
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        const { Resources } = serverless.service.provider.compiledCloudFormationTemplate;
        const cleanUp = Resources[CLEAN_UP];
        if (cleanUp === undefined) throw new Error(`the template has no resource ${CLEAN_UP}`);
        cleanUp.DependsOn = Object.keys(Resources)
          .filter((id) => id !== CLEAN_UP)
          .sort();
      },
    };
  }
};
