// What AppSync's JavaScript runtime refuses, found before a deployment does.
import appsync from '@aws-appsync/eslint-plugin';

const { languageOptions, ...recommended } = appsync.configs.recommended;

export default [
  {
    ...recommended,
    files: ['graphql/resolver.js'],
    languageOptions: {
      ...languageOptions,
      parserOptions: { projectService: { allowDefaultProject: ['graphql/resolver.js'] } },
    },
  },
];
