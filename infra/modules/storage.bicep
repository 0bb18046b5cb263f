@description('Name of the account for uploads, snapshots and records.')
param name string

@description('Whether the account is made; else it is there already, and only containers and queues are added.')
param make bool

@description('Snapshots are deleted so many days after they were written; 0: never.')
param snapshotDays int

@description('Region.')
param location string

@description('Tags.')
param tags object

var containers = [
  'datasets'
  'snapshots'
  'uploads'
  'runs'
  'endpoints'
  'active'
  'access'
  'canary'
  'deadletters'
  'deployments'
]
var queues = ['droptune-work', 'droptune-work-poison']
var agingOut = [
  {
    name: 'snapshots-to-cool'
    enabled: true
    prefix: 'snapshots/'
    actions: { tierToCool: { daysAfterModificationGreaterThan: 30 } }
  }
  {
    name: 'snapshots-deleted'
    enabled: snapshotDays > 0
    prefix: 'snapshots/'
    actions: { delete: { daysAfterModificationGreaterThan: max(snapshotDays, 1) } }
  }
  {
    name: 'dead-letters-deleted'
    enabled: true
    prefix: 'deadletters/'
    actions: { delete: { daysAfterModificationGreaterThan: 90 } }
  }
  {
    name: 'canaries-deleted'
    enabled: true
    prefix: 'canary/'
    actions: { delete: { daysAfterModificationGreaterThan: 1 } }
  }
]

resource made 'Microsoft.Storage/storageAccounts@2024-01-01' = if (make) {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isHnsEnabled: false
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' }
  }
}

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: name
}

resource blobSettings 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = if (make) {
  parent: made
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: account
  name: 'default'
}

resource eachContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [
  for container in containers: {
    parent: blobs
    name: container
    properties: { publicAccess: 'None' }
    dependsOn: [blobSettings]
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' existing = {
  parent: account
  name: 'default'
}

resource eachQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
    dependsOn: [made]
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = if (make) {
  parent: made
  name: 'default'
  properties: {
    policy: {
      rules: [
        for rule in agingOut: {
          name: rule.name
          enabled: rule.enabled
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: [rule.prefix] }
            actions: { baseBlob: rule.actions }
          }
        }
      ]
    }
  }
  dependsOn: [blobSettings]
}

output name string = name
output id string = account.id
output blobUrl string = 'https://${name}.blob.${environment().suffixes.storage}'
output queueUrl string = 'https://${name}.queue.${environment().suffixes.storage}'
