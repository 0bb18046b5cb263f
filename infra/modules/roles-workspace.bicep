@description('Name of the workspace.')
param workspaceName string

@description('Name of its storage account; empty: the cluster is given its role on it by hand.')
param storageName string

@description('Name of its container registry; empty: it has none.')
param registryName string

@description('Identity of the functions.')
param appPrincipalId string

@description('Identity of the training cluster.')
param trainingPrincipalId string

var roles = loadJsonContent('../roles.json')
var appRoles = ['AzureML Data Scientist', 'Monitoring Reader']

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: empty(storageName) ? 'none' : storageName
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: empty(registryName) ? 'none' : registryName
}

resource app 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in appRoles: {
    name: guid(workspace.id, appPrincipalId, roles[role])
    scope: workspace
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[role])
    }
  }
]

resource outputs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(storageName)) {
  name: guid(storage.id, trainingPrincipalId, roles['Storage Blob Data Contributor'])
  scope: storage
  properties: {
    principalId: trainingPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
  }
}

resource images 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  name: guid(registry.id, trainingPrincipalId, roles['AcrPull'])
  scope: registry
  properties: {
    principalId: trainingPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['AcrPull'])
  }
}
