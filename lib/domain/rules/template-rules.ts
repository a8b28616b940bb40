import {
  checkTemplateVariables,
  parseTemplate,
  type Template,
  type TemplatePath,
  variables,
} from '../templates/template.ts';
import { mostLevelsOf, type TopicDialect } from '../topics/topic-filter.ts';
import { combineChecks, type DefinitionCheck, type Warning } from './definition-check.ts';

/** A template of a definition, and the field it stands in. */
export interface TemplateField {
  field: string;
  text: string;
}

/** Topic filters, each with how many levels a topic can have that comes by it. */
type Levels = readonly { topicFilter: string; most: number }[];

/**
 * Checks that templates can be read, that the path knows their variables, and that topics have the levels they ask for.
 *
 * @param source - the valid filters by which messages come; absent on the pull path: topics of RocketMQ have one level
 */
export function checkTemplates(
  templates: readonly TemplateField[],
  path: TemplatePath,
  source?: { topicFilters: readonly string[]; dialect: TopicDialect },
): DefinitionCheck {
  const levels =
    source === undefined
      ? [{ topicFilter: 'a topic of RocketMQ', most: 1 }]
      : source.topicFilters.map((topicFilter) => ({
          topicFilter,
          most: mostLevelsOf(topicFilter, source.dialect),
        }));
  return combineChecks(templates.map((template) => checkTemplate(template, path, levels)));
}

function checkTemplate({ field, text }: TemplateField, path: TemplatePath, levels: Levels): DefinitionCheck {
  const parsed = parseTemplate(text);
  if (!parsed.ok) {
    const message = `at character ${parsed.position + 1}: ${parsed.message}`;
    return { errors: [{ field, code: 'TEMPLATE_INVALID', message }], warnings: [] };
  }
  const violation = checkTemplateVariables(parsed.template, path);
  if (violation !== undefined) return { errors: [{ field, ...violation }], warnings: [] };
  return combineChecks([
    { errors: [], warnings: asksForClientId(parsed.template) ? [clientIdWarning(field, path)] : [] },
    checkTopicLevels(parsed.template, field, levels),
  ]);
}

/** A level that no topic has makes every message a dead letter; one that some lack, those. */
function checkTopicLevels(template: Template, field: string, levels: Levels): DefinitionCheck {
  const asked = variables(template).flatMap(({ variable, defaultText, text }) =>
    variable.kind === 'topicLevel' && defaultText === undefined ? [{ level: variable.level, text }] : [],
  );
  const deepest = asked.toSorted((one, other) => other.level - one.level)[0];
  const shortest = levels.toSorted((one, other) => one.most - other.most);
  const [first, last] = [shortest[0], shortest.at(-1)];
  if (deepest === undefined || first === undefined || last === undefined) return combineChecks([]);
  const remedy = `give it a default, as in \${${deepest.text}:-none}, or ask for another level`;
  if (deepest.level > last.most) {
    const message = `no topic has a level ${deepest.level}, ${last.topicFilter} has at most ${last.most}: ${remedy}`;
    return { errors: [{ field, code: 'TOPIC_LEVEL_MISSING', message }], warnings: [] };
  }
  if (deepest.level <= first.most) return combineChecks([]);
  const message = `a topic of ${first.topicFilter} has no level ${deepest.level}, and its messages would become dead letters: ${remedy}`;
  return { errors: [], warnings: [{ field, code: 'TOPIC_LEVEL_NOT_ALWAYS_THERE', message }] };
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
