targetScope = 'subscription'

@description('Name of the role, unique in the tenant.')
param roleTitle string

@description('Identity of the functions: sizes and quota are asked at the subscription.')
param appPrincipalId string

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

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, roleTitle)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}

output roleId string = role.id
output assignmentId string = assignment.id
