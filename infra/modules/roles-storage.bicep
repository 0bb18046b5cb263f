@description('Account of uploads, snapshots and records.')
param accountName string

@description('Identity of the functions.')
param appPrincipalId string

@description('Identity of the training cluster.')
param trainingPrincipalId string

@description('Whoever drops datasets and makes keys; empty: nobody.')
param principalId string

@description('What that object is; empty: Azure finds out.')
param principalType string

var roles = loadJsonContent('../roles.json')
var appRoles = ['Storage Blob Data Owner', 'Storage Queue Data Contributor']
var peoplesContainers = empty(principalId) ? [] : ['datasets', 'access', 'canary']

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: account
  name: 'default'
}

resource snapshots 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = {
  parent: blobs
  name: 'snapshots'
}

resource peopleContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = [
  for container in peoplesContainers: {
    parent: blobs
    name: container
  }
]

resource app 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in appRoles: {
    name: guid(account.id, appPrincipalId, roles[role])
    scope: account
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[role])
    }
  }
]

resource training 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, 'snapshots', trainingPrincipalId, roles['Storage Blob Data Contributor'])
  scope: snapshots
  properties: {
    principalId: trainingPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Storage Blob Data Contributor']
    )
  }
}

resource people 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, index) in peoplesContainers: {
    name: guid(account.id, container, principalId, roles['Storage Blob Data Contributor'])
    scope: peopleContainers[index]
    properties: {
      principalId: principalId
      principalType: empty(principalType) ? null : principalType
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles['Storage Blob Data Contributor']
      )
    }
  }
]
