import { combineChecks, type DefinitionCheck, type Warning } from './definition-check.ts';
import {
  checkTemplateVariables,
  parseTemplate,
  type Template,
  type TemplatePath,
  variables,
} from './template.ts';

/** A template of a definition, and the field it stands in. */
export interface TemplateField {
  field: string;
  text: string;
}

/** Checks that templates can be read, and that the path knows their variables. */
export function checkTemplates(templates: readonly TemplateField[], path: TemplatePath): DefinitionCheck {
  return combineChecks(templates.map((template) => checkTemplate(template, path)));
}

function checkTemplate({ field, text }: TemplateField, path: TemplatePath): DefinitionCheck {
  const parsed = parseTemplate(text);
  if (!parsed.ok) {
    const message = `at character ${parsed.position + 1}: ${parsed.message}`;
    return { errors: [{ field, code: 'TEMPLATE_INVALID', message }], warnings: [] };
  }
  const violation = checkTemplateVariables(parsed.template, path);
  if (violation !== undefined) return { errors: [{ field, ...violation }], warnings: [] };
  return { errors: [], warnings: asksForClientId(parsed.template) ? [clientIdWarning(field, path)] : [] };
}

function asksForClientId(template: Template): boolean {
  return variables(template).some(
    ({ variable, defaultText }) => variable.kind === 'clientId' && defaultText === undefined,
  );
}

function clientIdWarning(field: string, path: TemplatePath): Warning {
  const nameless =
    path === 'pull'
      ? 'only messages that came by the rule path have a client identifier, others'
      : 'messages published over HTTPS have no client identifier and';
  return {
    field,
    code: 'CLIENT_ID_NOT_ALWAYS_KNOWN',
    message: `${nameless} would become dead letters: give a default, as in \${clientId:-none}`,
  };
}
