targetScope = 'subscription'

@description('Name of the role, unique in the tenant.')
param roleTitle string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, roleTitle)
  properties: {
    roleName: roleTitle
    description: 'See sizes, usage and quota of Azure Machine Learning in a region, nothing else.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: ['Microsoft.MachineLearningServices/locations/*/read']
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

output roleId string = role.id
