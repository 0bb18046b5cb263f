@description('Account of the container deadletters.')
param accountName string

@description('Identity of the storage account\'s system topic.')
param storageTopicPrincipalId string

@description('Identity of the workspace\'s system topic.')
param workspaceTopicPrincipalId string

var roles = loadJsonContent('../roles.json')
var topics = [storageTopicPrincipalId, workspaceTopicPrincipalId]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: account
  name: 'default'
}

resource deadletters 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = {
  parent: blobs
  name: 'deadletters'
}

resource written 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principal in topics: {
    name: guid(account.id, 'deadletters', principal, roles['Storage Blob Data Contributor'])
    scope: deadletters
    properties: {
      principalId: principal
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles['Storage Blob Data Contributor']
      )
    }
  }
]
