@description('Name of the system topic of the storage account.')
param storageTopicName string

@description('Name of the system topic of the workspace.')
param workspaceTopicName string

@description('Name of the topic of droptune\'s own events.')
param lifecycleTopicName string

@description('The storage account whose events are wanted.')
param storageId string

@description('The workspace whose events are wanted.')
param workspaceId string

@description('Identity of the functions, which send to the lifecycle topic.')
param appPrincipalId string

@description('Region: that of the sources.')
param location string

@description('Tags.')
param tags object

var roles = loadJsonContent('../roles.json')

resource storageTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: storageTopicName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: storageId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource workspaceTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: workspaceTopicName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: workspaceId
    topicType: 'Microsoft.MachineLearningServices.Workspaces'
  }
}

resource lifecycleTopic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: lifecycleTopicName
  location: location
  tags: tags
  properties: {
    inputSchema: 'EventGridSchema'
    minimumTlsVersionAllowed: '1.2'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource appSends 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(lifecycleTopic.id, appPrincipalId, roles['EventGrid Data Sender'])
  scope: lifecycleTopic
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['EventGrid Data Sender'])
  }
}

output storageTopicName string = storageTopic.name
output storageTopicId string = storageTopic.id
output storageTopicPrincipalId string = storageTopic.identity.principalId
output workspaceTopicName string = workspaceTopic.name
output workspaceTopicId string = workspaceTopic.id
output workspaceTopicPrincipalId string = workspaceTopic.identity.principalId
output lifecycleEndpoint string = lifecycleTopic.properties.endpoint
