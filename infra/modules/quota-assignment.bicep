targetScope = 'subscription'

@description('The role for sizes and quota.')
param roleId string

@description('Identity of the functions: sizes and quota are asked at the subscription.')
param appPrincipalId string

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, roleId)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleId
  }
}

output assignmentId string = assignment.id
